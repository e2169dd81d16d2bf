# Two stages: the whole build as `make build` does it, then a small image with one binary that carries its assets.
FROM rust:1.95-bookworm AS build
WORKDIR /source
RUN apt-get update && apt-get install -y --no-install-recommends nodejs npm make && rm -rf /var/lib/apt/lists/*
COPY . .
RUN make build

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /data --create-home tenantatlas
COPY --from=build /source/target/release/tenantatlas /usr/local/bin/tenantatlas
USER 10001
ENV TENANTATLAS_DATA_DIR=/data TENANTATLAS_LISTEN=0.0.0.0:3000
VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
ENTRYPOINT ["tenantatlas"]
CMD ["serve"]
