#!/bin/sh
# Whoever comes by the network without TLS is refused, whatever the password.
set -eu
sed -i 's/^host /hostssl /' "$PGDATA/pg_hba.conf"
