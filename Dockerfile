# The hub with its production dependencies only. State lives in the volume /data.
FROM node:24.21.0-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6 AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc rolldown.config.ts ./
RUN npm ci --ignore-scripts --loglevel=error
COPY src ./src
RUN npm run build -- --environment IMAGE

FROM node:24.21.0-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6 AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --loglevel=error
# The MCP servers of hestia.config.compose.json, so that nothing is fetched at a start.
WORKDIR /opt/mcp-servers
COPY docker/servers/package.json docker/servers/package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --loglevel=error

FROM node:24.21.0-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6
LABEL org.opencontainers.image.title="Hestia" \
      org.opencontainers.image.description="An MCP hub that can be watched: skills and tools behind one endpoint, every call on record." \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production \
    HESTIA_HOST=0.0.0.0 \
    HESTIA_DATA_DIR=/data
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=dependencies /opt/mcp-servers/node_modules /opt/mcp-servers/node_modules
COPY package.json LICENSE NOTICE ./
COPY src ./src
COPY models ./models
COPY --from=build /app/dist ./dist
# The command line in the container of the hub: `docker exec <container> hestia demo`.
RUN chmod +x dist/hestia.js && ln -s /app/dist/hestia.js /usr/local/bin/hestia
# The data directory belongs to the unprivileged user of the base image.
RUN install --directory --owner=node --group=node --mode=0700 /data /app/.cache
USER node
# One start and one shutdown keep the compiled code in the image, so that each start of a container is shorter.
ENV NODE_COMPILE_CACHE=/app/.cache
RUN HESTIA_DATA_DIR=/tmp/first-start timeout --preserve-status --signal=TERM 10 node --disable-sigusr1 dist/main.js \
    && rm -r /tmp/first-start
VOLUME /data
EXPOSE 7420
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.HESTIA_PORT || 7420) + '/livez').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--disable-sigusr1", "--disable-warning=ExperimentalWarning", "dist/main.js"]
