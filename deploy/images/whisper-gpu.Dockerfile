# A Whisper pool for one GPU: docker build -f deploy/images/whisper-gpu.Dockerfile -t parlance-whisper-gpu .
# docker run --gpus all -v WEIGHTS:/models -e PARLANCE_POOL_MODEL=large-v3 … parlance-whisper-gpu
# Not run yet: no GPU was at hand. CUDA comes with torch's default wheels; the driver is the host's.
FROM python:3.12-slim
RUN useradd --create-home --uid 10001 parlance
WORKDIR /app
COPY requirements.lock pyproject.toml README.md ./
RUN pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock
RUN pip install --no-cache-dir torch==2.13.0 openai-whisper==20250625
COPY platform platform
COPY workers workers
RUN pip install --no-cache-dir --no-deps .
USER parlance
ENV PYTHONUNBUFFERED=1 LC_ALL=C.UTF-8 PARLANCE_WHISPER_DIR=/models
STOPSIGNAL SIGTERM
CMD ["parlance", "pool"]
