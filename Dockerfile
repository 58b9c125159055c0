# syntax=docker/dockerfile:1
# The executable, built by `make build`, on a base image without a shell.

FROM node:22-bookworm-slim AS node

FROM rust:1.95-bookworm AS build
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \
 && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
WORKDIR /parlour
# Tools first, because they change rarely.
COPY Makefile Cargo.lock rust-toolchain.toml package.json package-lock.json .npmrc ./
COPY scripts scripts
RUN make toolchain build-tools node_modules/.package-lock.json
COPY . .
RUN make build && mkdir /data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /parlour/target/release/parlour /usr/bin/parlour
COPY --from=build --chown=nonroot:nonroot /data /data
ENV LEPTOS_SITE_ADDR=0.0.0.0:3000 PARLOUR_DATA=/data PARLOUR_LOG_FORMAT=json
WORKDIR /data
USER nonroot
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=2 CMD ["/usr/bin/parlour", "healthcheck"]
ENTRYPOINT ["/usr/bin/parlour"]
