# The image that `kt plan --emit` names: kt alone, on Node 24, as the user 1000 and without a build tool.
#   docker build -t kt-bench:0.1.0 .
FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json tsconfig.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY bin bin
COPY src src
COPY reference-gateway reference-gateway
COPY profiles profiles
RUN npm run build
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund
# What kt does not bring and a gateway may be told to use: a cache in Redis, spans for a collector.
RUN npm install --no-save --omit=dev --ignore-scripts --no-audit --no-fund $(node --print \
  "Object.entries(require('./package.json').devDependencies).filter(([name]) => /^ioredis$|^@opentelemetry/.test(name)).map((one) => one.join('@')).join(' ')")

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
