# syntax=docker/dockerfile:1
FROM python:3.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
# The embedded servers come along for PostgreSQL's own programs, which backups are made with.
COPY requirements/uv.txt requirements/run.txt requirements/
RUN python -m venv /opt/venv \
 && pip install --require-hashes -r requirements/uv.txt \
 && uv pip install --python /opt/venv/bin/python --require-hashes --compile-bytecode --no-cache -r requirements/run.txt
COPY manage.py ./
COPY cloudscribe cloudscribe
COPY audit audit
COPY security security
COPY accounts accounts
COPY documents documents
COPY templates templates
COPY docs docs
# Assets get hashed names once, here. Keys that this makes for itself stay in the build stage.
RUN CLOUDSCRIBE_DATA=/tmp/build CLOUDSCRIBE_STATIC_ROOT=/app/static \
    /opt/venv/bin/python manage.py collectstatic --no-input -v 0

FROM python:3.13-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=cloudscribe.settings \
    CLOUDSCRIBE_DATA=/data \
    CLOUDSCRIBE_STATIC_ROOT=/app/static \
    CLOUDSCRIBE_BIND=0.0.0.0 \
    PROMETHEUS_MULTIPROC_DIR=/run/metrics
RUN groupadd --gid 10001 cloudscribe \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin cloudscribe \
 && install -d -o 10001 -g 10001 -m 0700 /data /run/metrics
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
CMD ["gunicorn", "cloudscribe.wsgi:application", "-c", "cloudscribe/gunicorn.py", "--no-control-socket"]
