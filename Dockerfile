# Two stages: the whole build as `make build` does it, then a small image with one binary that carries its assets, and
# the list of what it is made of.
#
# The image runs as a user without rights. The rest is said when it is started:
#   docker run --read-only --cap-drop ALL --security-opt no-new-privileges --ulimit core=0 --ulimit nofile=65536 \
#     --pids-limit 1024 --memory 4g --volume tenantatlas:/data --publish 127.0.0.1:3000:3000 tenantatlas
# Nothing is written outside of /data. Core files are off by --ulimit core=0, since memory holds credentials in use.
FROM rust:1.95-bookworm AS build
WORKDIR /source
RUN apt-get update && apt-get install -y --no-install-recommends nodejs npm make && rm -rf /var/lib/apt/lists/*
COPY . .
RUN make build sbom

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /data --create-home --shell /usr/sbin/nologin tenantatlas \
 && chmod 0700 /data
COPY --from=build /source/target/release/tenantatlas /usr/local/bin/tenantatlas
COPY --from=build /source/target/release/tenantatlas.cdx.json /usr/share/tenantatlas/sbom.cdx.json
USER 10001
ENV TENANTATLAS_DATA_DIR=/data TENANTATLAS_LISTEN=0.0.0.0:3000
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
# Whether the process answers, asked without a client of its own in the image. The port is the one above, or the last part
# of TENANTATLAS_LISTEN where that was changed. Whether the database answers too is /readyz, for whoever routes requests.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["bash", "-c", "\
  exec 3<>\"/dev/tcp/127.0.0.1/${TENANTATLAS_LISTEN##*:}\" \
  && printf 'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 \
  && IFS= read -r status <&3 && [[ $status == 'HTTP/1.1 200 '* ]]"]
ENTRYPOINT ["tenantatlas"]
CMD ["serve"]
