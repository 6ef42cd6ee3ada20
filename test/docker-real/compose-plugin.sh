#!/bin/sh
# Debian's docker-compose as the plugin `docker compose`.
if [ "$1" = docker-cli-plugin-metadata ]; then
  echo '{"SchemaVersion":"0.1.0","Vendor":"Debian","Version":"v1.29","ShortDescription":"Docker Compose"}'
  exit 0
fi
[ "$1" = compose ] && shift
exec docker-compose "$@"
