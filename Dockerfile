# The service in a container: docker build -t lenet5 . (docs/service.md)

FROM python:3.13-slim AS build
# hadolint ignore=DL3008 # the base image decides which release of Debian, and so which compiler
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN python -m venv /opt/lenet5 \
    && /opt/lenet5/bin/pip install --no-cache-dir '.[serve]' \
    && rm -rf /opt/lenet5/lib/python3.*/site-packages/pip*

FROM python:3.13-slim
COPY --from=build /opt/lenet5 /opt/lenet5
ENV PATH=/opt/lenet5/bin:$PATH PYTHONDONTWRITEBYTECODE=1 OPENBLAS_NUM_THREADS=1
USER 65532:65532
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --start-period=20s --interval=30s --timeout=5s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/ready')"]
ENTRYPOINT ["lenet5"]
CMD ["serve", "--host", "0.0.0.0"]
