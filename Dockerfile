# Build: everything, for the front ends.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build

# Run: production packages, sources (TypeScript runs as it is) and what was built.
FROM node:24-slim
ENV NODE_ENV=production PARLEY_DATA_DIR=/data
WORKDIR /app
COPY package.json package-lock.json LICENSE ./
RUN npm ci --omit=dev && npm cache clean --force
COPY gateway ./gateway
COPY scripts ./scripts
COPY --from=build /app/widget/dist ./widget/dist
COPY --from=build /app/console/dist ./console/dist
COPY --from=build /app/api-docs/dist ./api-docs/dist
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8787
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s \
  CMD node -e "fetch('http://127.0.0.1:'+(process.env.PORT||8787)+'/health/ready').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"
# node, not npm: the process must get the SIGTERM itself to end its sessions in order.
CMD ["node", "scripts/start.ts"]
