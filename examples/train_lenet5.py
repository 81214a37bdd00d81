"""The network of the paper in a plain PyTorch loop: distances instead of logits, the smallest wins.

python examples/train_lenet5.py            the embedded 8×8 digits, no download
python examples/train_lenet5.py mnist      MNIST
"""

import sys

import torch
from torch.utils.data import DataLoader, TensorDataset

from lenet5.learning.data import load
from lenet5.network import LeNet5
from lenet5.paper import LENET5
from lenet5.pixels import network_input


def tensors(part: str) -> TensorDataset:
    data = load(sys.argv[1] if len(sys.argv) > 1 else "digits", part)
    return TensorDataset(torch.tensor(network_input(LENET5, data.images)), torch.tensor(data.labels).long())


torch.manual_seed(0)
training = DataLoader(tensors("train"), batch_size=32, shuffle=True)
test_images, test_labels = tensors("test").tensors

network = LeNet5()
criterion = torch.nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(network.parameters(), lr=0.002)

for number in range(1, 21):
    for images, labels in training:
        optimizer.zero_grad()
        loss = criterion(-network(images.unsqueeze(1)), labels)
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        right = (network(test_images.unsqueeze(1)).argmin(1) == test_labels).float().mean()
    print(f"pass {number:2d}  loss {loss.item():.3f}  test accuracy {right:.1%}")
