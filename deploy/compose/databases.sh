#!/bin/sh
# Before every start: each service has a role and a database that nobody else enters, with the
# password of its file. What is there stays; a password that was changed in its file is changed.
set -eu
export PGHOST=postgres PGUSER=postgres PGDATABASE=postgres
PGPASSWORD=$(cat /run/secrets/postgres_password)
export PGPASSWORD

for service in cartas measurements evaluator buzon notifier portal; do
    psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --set service="$service" \
        --set file="/run/secrets/${service}_database_password" <<'SQL'
-- A statement that failed would be written to the log with the password in it.
SET log_min_error_statement = panic;
SET log_statement = none;
\set password `cat :file`
SELECT format('CREATE ROLE %I', :'service')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'service') \gexec
ALTER ROLE :"service" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER %I', :'service', :'service')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'service') \gexec
REVOKE CONNECT, TEMPORARY ON DATABASE :"service" FROM PUBLIC;
SQL
done
# The role of the copies: it may copy the server, and enters no database but the empty one.
psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 \
    --set file=/run/secrets/backup_database_password <<'SQL'
SET log_min_error_statement = panic;
SET log_statement = none;
\set password `cat :file`
SELECT 'CREATE ROLE backup' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'backup') \gexec
ALTER ROLE backup LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE REPLICATION PASSWORD :'password';
GRANT CONNECT ON DATABASE postgres TO backup;
-- The image lets nobody copy over the network.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_hba_file_rules
                   WHERE 'replication' = ANY (database) AND 'backup' = ANY (user_name)) THEN
        COPY (SELECT 'host replication backup all scram-sha-256')
            TO PROGRAM 'cat >> "$PGDATA/pg_hba.conf"';
        PERFORM pg_reload_conf();
    END IF;
END $$;
SQL
psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 \
    --command 'REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC'
echo "roles and databases are as the secrets say"
