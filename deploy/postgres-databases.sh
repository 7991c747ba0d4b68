#!/bin/sh
# Runs once, when the volume is new: each service has a role and a database that nobody else enters.
set -eu
for service in cartas measurements evaluator buzon notifier portal; do
    psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" \
        --set service="$service" --set password="$POSTGRES_PASSWORD" <<'SQL'
CREATE ROLE :"service" LOGIN PASSWORD :'password';
CREATE DATABASE :"service" OWNER :"service";
REVOKE CONNECT, TEMPORARY ON DATABASE :"service" FROM PUBLIC;
SQL
done
