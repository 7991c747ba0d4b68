#!/bin/bash
# PostgreSQL as its image starts it, once its user has a folder for copies and archived WAL, and may
# put another folder of data beside the one that is there (a restore moves it aside).
set -eu
install -d -o postgres -g postgres -m 700 /backup /backup/wal
install -d -o postgres -g postgres -m 755 "$(dirname "$PGDATA")"
exec docker-entrypoint.sh "$@"
