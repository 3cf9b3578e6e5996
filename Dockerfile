# The image that `kt plan --emit` names: kt alone, on Node 24, as the user 1000 and without a build tool.
#   docker build -t kt-bench:0.1.0 .
# A gate on a busy host, under real-time scheduling (docs/ci.md):
#   docker run --user 0 --cap-add SYS_NICE kt-bench:0.1.0 bench
FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json tsconfig.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY bin bin
COPY src src
COPY reference-gateway reference-gateway
COPY profiles profiles
COPY test/setup/bundle.js test/setup/bundle.js
RUN npm run build
# A cache in Redis, spans for a collector and a fleet are not brought by kt, but by its image: they may be asked for.
RUN node --eval "const kt = require('./package.json'); \
  for (const [name, version] of Object.entries(kt.devDependencies)) \
    if (/^ioredis$|^@(opentelemetry|nats-io)\//.test(name)) \
      { delete kt.devDependencies[name]; kt.dependencies[name] = version } \
  require('fs').writeFileSync('package.json', JSON.stringify(kt, null, 2))"
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /build/package.json /build/oclif.manifest.json ./
COPY --from=build /build/bin bin
COPY --from=build /build/profiles profiles
COPY --from=build /build/reference-gateway/gateway.yaml reference-gateway/gateway.yaml
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
USER 1000
EXPOSE 41002
ENTRYPOINT ["node", "/app/bin/run.js"]
CMD ["gateway", "start"]
