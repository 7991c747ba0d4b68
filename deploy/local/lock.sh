#!/usr/bin/env bash
# Writes every lock anew: names, versions and hashes, never the address of a package host.
set -euo pipefail
cd "$(dirname "$0")/../.."
export CUSTOM_COMPILE_COMMAND="make lock"
compile() {
    .venv/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
        --no-emit-options --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
        "$@"
}
compile -o requirements.txt requirements.in
compile -o requirements-local.txt requirements-local.in
compile -o requirements-npm.txt requirements-npm.in
compile -o requirements-dev.txt requirements-dev.in
.venv/bin/python -m deploy.local.kafka_jars lock
npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund
