# syntax=docker/dockerfile:1
# The locked dependencies and the wheel are put into one virtual environment; only that environment reaches the final stage.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/governor
COPY requirements requirements
RUN /opt/governor/bin/python -m pip install --no-compile --no-deps --require-hashes -r requirements/runtime.txt \
 && python -m venv /opt/builder \
 && /opt/builder/bin/python -m pip install --no-deps --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY service service
RUN /opt/builder/bin/python -m hatchling build --target wheel --directory /dist \
 && /opt/governor/bin/python -m pip install --no-compile --no-deps /dist/*.whl \
 && /opt/governor/bin/python -m pip uninstall --yes pip \
 && find /opt/governor -path '*/google/ads/googleads/v2[345]' -prune -exec rm -rf {} +

FROM python:${PYTHON}-slim-bookworm
LABEL org.opencontainers.image.title="ad-spend-governor" \
      org.opencontainers.image.description="Holds a clinic's ad budgets against the appointments it can actually sell" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin governor \
 && install -d -o governor -g governor /data
COPY --from=build /opt/governor /opt/governor
ENV PATH=/opt/governor/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    GOVERNOR_RULES_DIR=/rules \
    GOVERNOR_DATABASE_URL=sqlite+aiosqlite:////data/governor.db
USER 10001:10001
WORKDIR /data
VOLUME ["/data", "/rules"]
EXPOSE 8000
HEALTHCHECK --interval=60s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["governor"]
CMD ["serve", "--host", "0.0.0.0"]
