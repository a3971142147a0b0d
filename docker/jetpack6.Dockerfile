# linepilot on a Jetson with JetPack 6 (Orin). Not built or run by its authors yet: see docs/jetson.md.
#   docker build -f docker/jetpack6.Dockerfile -t linepilot .
# NVIDIA's image with CUDA, cuDNN and TensorRT of JetPack 6.1, which runs on hosts from L4T 36.4 on.
ARG BASE=nvcr.io/nvidia/l4t-jetpack:r36.4.0
FROM ${BASE}

ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 python3-venv python3-pip i2c-tools \
      gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good \
 && rm -rf /var/lib/apt/lists/*
# OpenCV from the system, not a wheel over it.
RUN python3 -c "import cv2" \
 || (apt-get update && apt-get install -y --no-install-recommends python3-opencv && rm -rf /var/lib/apt/lists/*)

COPY . /opt/linepilot
# The system's OpenCV and TensorRT show through; both were built for NumPy 1.
RUN python3 -m venv --system-site-packages /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir 'numpy<2' '/opt/linepilot[jetson,serial]' \
 && /opt/venv/bin/python -c "import cv2"
ENV PATH=/opt/venv/bin:$PATH

WORKDIR /robot
ENTRYPOINT ["linepilot"]
CMD ["doctor"]
