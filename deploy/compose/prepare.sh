#!/bin/sh
# The first time, and after an upgrade that wants another secret: makes every secret that is missing,
# at random, and .env where there is none. What is there is never touched.
#
#     sh deploy/compose/prepare.sh [FOLDER]        # ./secrets
#
# The folder is closed to everybody else on this machine; the files in it can be read, because each
# container reads its own as a user of its own. Keep a copy of it where the backups are.
set -eu
cd "$(dirname "$0")/../.."
folder=${1:-./secrets}

random() { od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n'; }

secret() {
    if [ ! -e "$folder/$1" ]; then
        (umask 022 && random > "$folder/$1.part" && mv "$folder/$1.part" "$folder/$1")
        echo "made $folder/$1"
    fi
}

mkdir -p "$folder/authorities"
chmod 700 "$folder"
chmod 755 "$folder/authorities"
for name in service_secret contact_key postgres_password grafana_password backup_database_password; do
    secret "$name"
done
for service in cartas measurements evaluator buzon notifier portal; do
    secret "${service}_database_password"
    secret "${service}_kafka_password"
done
# An empty file until you write your mail server's password into it.
[ -e "$folder/smtp_password" ] || (umask 022 && : > "$folder/smtp_password")

if [ ! -e .env ]; then
    sed "s|^CARTAS_SECRETS_DIR=.*|CARTAS_SECRETS_DIR=$folder|" deploy/compose/example.env > .env
    echo "made .env: say there which address your people use"
fi
