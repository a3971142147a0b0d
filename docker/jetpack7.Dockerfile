# linepilot on a Jetson with JetPack 7 (Thor, Orin). Not built or run by its authors yet: see docs/jetson.md.
#   docker build -f docker/jetpack7.Dockerfile -t linepilot .
# From JetPack 7 on Jetsons take the images of Arm servers (SBSA); this one brings CUDA 13, TensorRT and Python 3.12.
ARG BASE=nvcr.io/nvidia/tensorrt:25.11-py3
FROM ${BASE}

ENV DEBIAN_FRONTEND=noninteractive
# Ubuntu's own OpenCV, not a wheel over it.
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 python3-venv python3-pip python3-opencv i2c-tools \
      gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good \
 && rm -rf /var/lib/apt/lists/*

COPY . /opt/linepilot
# The system's OpenCV and TensorRT show through; Ubuntu 24.04's OpenCV was built for NumPy 1.
RUN python3 -m venv --system-site-packages /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir 'numpy<2' '/opt/linepilot[jetson,serial]' \
 && /opt/venv/bin/python -c "import cv2"
ENV PATH=/opt/venv/bin:$PATH

WORKDIR /robot
ENTRYPOINT ["linepilot"]
CMD ["doctor"]
