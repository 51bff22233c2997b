# The hub with its production dependencies only. State lives in the volume /data.
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
# The command line in the container of the hub: `docker exec <container> hestia demo`.
RUN ln -s /app/src/hestia.ts /usr/local/bin/hestia
# The data directory belongs to the unprivileged user of the base image.
RUN install --directory --owner=node --group=node --mode=0700 /data
USER node
VOLUME /data
EXPOSE 7420
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.HESTIA_PORT || 7420) + '/livez').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--disable-sigusr1", "--disable-warning=ExperimentalWarning", "src/main.ts"]
