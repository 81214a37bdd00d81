"""LeNet-5 the way tutorials teach it: a plain PyTorch loop on the concise network.

python examples/train_concise.py            the embedded 8×8 digits, no download
python examples/train_concise.py mnist      MNIST
"""

import sys

import torch
from torch.utils.data import DataLoader, TensorDataset

from lenet5.learning.data import load
from lenet5.network import ConciseLeNet5


def tensors(part: str) -> TensorDataset:
    data = load(sys.argv[1] if len(sys.argv) > 1 else "digits", part)
    return TensorDataset(torch.tensor(data.images) / 255, torch.tensor(data.labels).long())


torch.manual_seed(0)
training = DataLoader(tensors("train"), batch_size=32, shuffle=True)
test_images, test_labels = tensors("test").tensors

network = ConciseLeNet5()
criterion = torch.nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(network.parameters(), lr=0.004)

for number in range(1, 21):
    for images, labels in training:
        optimizer.zero_grad()
        loss = criterion(network(images.unsqueeze(1)), labels)
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        right = (network(test_images.unsqueeze(1)).argmax(1) == test_labels).float().mean()
    print(f"pass {number:2d}  loss {loss.item():.3f}  test accuracy {right:.1%}")
