#!/bin/bash
# Starts PostgreSQL the way the official image does, as far as Faultline and its tests use that: POSTGRES_PASSWORD,
# POSTGRES_USER, POSTGRES_DB, POSTGRES_INITDB_ARGS, POSTGRES_HOST_AUTH_METHOD (each, with _FILE, from a file), PGDATA, and
# the scripts of /docker-entrypoint-initdb.d, run once, at the first start.
set -Eeuo pipefail

# from_file NAME: takes NAME from the file that NAME_FILE names.
from_file() {
  local file_variable=$1_FILE
  if [[ -n ${!file_variable:-} ]]; then
    if [[ -n ${!1:-} ]]; then
      echo "set one of $1 and $file_variable, not both" >&2
      exit 1
    fi
    export "$1=$(<"${!file_variable}")"
    unset "$file_variable"
  fi
}

# docker_process_sql [ARGS]: psql on the server that runs only for the initialization. Scripts may call it, too.
docker_process_sql() {
  PGHOST=/var/run/postgresql PGPORT=5432 PGUSER=$POSTGRES_USER PGDATABASE=${PGDATABASE:-$POSTGRES_DB} \
    psql --set=ON_ERROR_STOP=1 --no-password --no-psqlrc "$@"
}

run_scripts() {
  local script
  for script in /docker-entrypoint-initdb.d/*; do
    case $script in
      *.sh)
        echo "running $script"
        # As the official image does: run what is executable, read in what is not.
        # shellcheck disable=SC1090
        if [[ -x $script ]]; then "$script"; else . "$script"; fi
        ;;
      *.sql)
        echo "running $script"
        docker_process_sql --file="$script"
        ;;
    esac
  done
}

# A data folder that was not finished would be taken for a finished one by the next start.
remove_unfinished() {
  local status=$?
  pg_ctl --pgdata="$PGDATA" --mode=immediate stop &>/dev/null || true
  find "$PGDATA" -mindepth 1 -delete
  echo "the initialization failed: $PGDATA is empty again" >&2
  exit $((status ? status : 1))
}

initialize() {
  if [[ -z ${POSTGRES_PASSWORD:-} && ${POSTGRES_HOST_AUTH_METHOD:-} != trust ]]; then
    echo "set POSTGRES_PASSWORD to a password for the superuser (or POSTGRES_HOST_AUTH_METHOD=trust to let everybody in)" >&2
    exit 1
  fi
  if [[ -n $(ls -A "$PGDATA") ]]; then
    echo "$PGDATA is not empty and has no PG_VERSION: name an empty folder, or one below this, with PGDATA" >&2
    exit 1
  fi
  trap remove_unfinished EXIT
  trap 'exit 1' INT TERM
  # The arguments are words, as in the official image.
  # shellcheck disable=SC2086
  if [[ -n ${POSTGRES_PASSWORD:-} ]]; then
    initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") --pgdata="$PGDATA" ${POSTGRES_INITDB_ARGS:-}
  else
    initdb --username="$POSTGRES_USER" --pgdata="$PGDATA" ${POSTGRES_INITDB_ARGS:-}
  fi
  printf '\nhost all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"

  # Nobody is let in from outside until the scripts have run.
  PGUSER=$POSTGRES_USER pg_ctl --pgdata="$PGDATA" --options="${*@Q} -c listen_addresses='' -p 5432" --wait start
  if [[ $POSTGRES_DB != postgres ]]; then
    PGDATABASE=postgres docker_process_sql --set=name="$POSTGRES_DB" <<<'CREATE DATABASE :"name"'
  fi
  run_scripts
  PGUSER=$POSTGRES_USER pg_ctl --pgdata="$PGDATA" --mode=fast --wait stop
  trap - EXIT INT TERM
  echo "PostgreSQL init process complete; ready for start up."
}

if [[ $# == 0 || $1 == -* ]]; then
  set -- postgres "$@"
fi
if [[ $1 != postgres ]]; then
  exec "$@"
fi

if [[ $(id -u) == 0 ]]; then
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA"
  find "$PGDATA" /var/run/postgresql ! -user postgres -exec chown postgres:postgres {} +
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

for name in POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB POSTGRES_INITDB_ARGS POSTGRES_HOST_AUTH_METHOD; do
  from_file "$name"
done
export POSTGRES_USER=${POSTGRES_USER:-postgres}
export POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
if [[ ! -s $PGDATA/PG_VERSION ]]; then
  mkdir -p "$PGDATA"
  # On a volume of another owner it is the cluster's fsGroup that has to let us in.
  chmod 700 "$PGDATA" 2>/dev/null || true
  initialize "${@:2}"
fi
exec "$@"
