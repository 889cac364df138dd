FROM node:20-bookworm AS playground
WORKDIR /src/playground
COPY playground/package.json playground/package-lock.json playground/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY playground ./
RUN npm run build

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=playground /src/playground/dist playground/dist
RUN CGO_ENABLED=0 go build -trimpath -o /crmgraph .

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home crmgraph
COPY --from=build /crmgraph /usr/local/bin/crmgraph
USER crmgraph
ENV CRMGRAPH_ADDR=0.0.0.0:8080
EXPOSE 8080
ENTRYPOINT ["crmgraph"]
