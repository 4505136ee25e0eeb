# syntax=docker/dockerfile:1
# The locked dependencies and the wheel are put into one virtual environment; only that environment reaches the final stage.
# To hold the base too, build with --build-arg PYTHON_IMAGE=python:3.13-slim-trixie@sha256:...
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /src
# What installs never lies in the environment that it installs into.
RUN python -m venv --without-pip /opt/governor \
 && python -m venv /opt/builder
COPY requirements requirements
# Wheels only: nothing is compiled, and nothing of what is installed runs.
RUN /opt/builder/bin/python -m pip --python /opt/governor/bin/python install --no-compile --no-deps --only-binary :all: \
      --require-hashes -r requirements/runtime.txt \
 && /opt/builder/bin/python -m pip install --no-compile --no-deps --only-binary :all: \
      --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY service service
RUN /opt/builder/bin/python -m hatchling build --target wheel --directory /dist \
 && /opt/builder/bin/python -m pip --python /opt/governor/bin/python install --no-compile --no-deps /dist/*.whl
# Of the four versions of the Google Ads API in the SDK one is used. Bytecode is compiled now, because nobody can write it later:
# with that of the standard library below it adds 34 MB, compressed, and a start takes 1.6 s instead of 4.7 s. One file of Meta's
# SDK is no Python (`or = 'or'`).
RUN find /opt/governor -path '*/google/ads/googleads/v2[345]' -prune -exec rm -rf {} + \
 && /opt/governor/bin/python -W ignore -m compileall -q -j 0 -x 'adobjects/userexportforcam' --invalidation-mode unchecked-hash \
      /opt/governor/lib

FROM ${PYTHON_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ad-spend-governor" \
      org.opencontainers.image.description="Holds a clinic's ad budgets against the appointments it can actually sell" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# The base brings pip and what makes it, older ones more; nothing is to be installed from here on.
RUN python -m pip uninstall --yes --root-user-action=ignore pip setuptools wheel \
 && rm -rf "$(python -c 'import ensurepip; print(ensurepip.__path__[0])')" \
 && python -W ignore -m compileall -q -j 0 -x '/tests?/' --invalidation-mode unchecked-hash \
      "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
 && groupadd --gid 10001 governor \
 && useradd --uid 10001 --gid 10001 --no-log-init --home-dir /data --shell /usr/sbin/nologin governor \
 && install -d -o governor -g governor /data /rules
COPY --from=build /opt/governor /opt/governor
ENV PATH=/opt/governor/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    GOVERNOR_RULES_DIR=/rules \
    GOVERNOR_DATABASE_URL=sqlite+aiosqlite:////data/governor.db
USER 10001:10001
WORKDIR /data
# The root file system may be read-only: only /data is written to, and /tmp by SQLite where it sorts much.
VOLUME /data
EXPOSE 8000
# The server listens on 8000, a worker on 8001: whichever of them is here is asked.
HEALTHCHECK --interval=60s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import socket, urllib.request as r; p = next(p for p in (8000, 8001) if not socket.socket().connect_ex(('127.0.0.1', p))); r.urlopen(f'http://127.0.0.1:{p}/healthz', timeout=4)"]
ENTRYPOINT ["governor"]
CMD ["serve", "--host", "0.0.0.0"]
