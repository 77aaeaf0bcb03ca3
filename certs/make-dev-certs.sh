#!/usr/bin/env bash
# Makes a development CA and a server certificate in this folder: ca.crt, server.crt (with the CA behind it), server.key.
# Usage: ./make-dev-certs.sh [NAME...]   further host names or IP addresses beside localhost, 127.0.0.1 and ::1
set -euo pipefail
umask 077
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

names="DNS:localhost,IP:127.0.0.1,IP:::1"
for name in "$@"; do
  if [[ $name =~ ^[0-9.]+$ || $name == *:* ]]; then names+=",IP:$name"; else names+=",DNS:$name"; fi
done

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -sha256 \
  -subj "/CN=mlgate development CA" -addext "basicConstraints=critical,CA:TRUE,pathlen:0" \
  -addext "keyUsage=critical,keyCertSign,cRLSign" -keyout "$work/ca.key" -out "$work/ca.crt" 2>/dev/null
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=localhost" \
  -keyout "$work/server.key" -out "$work/server.csr" 2>/dev/null
printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nsubjectAltName=%s\n' \
  "$names" >"$work/extensions"
openssl x509 -req -in "$work/server.csr" -CA "$work/ca.crt" -CAkey "$work/ca.key" -CAcreateserial -days 825 -sha256 \
  -extfile "$work/extensions" -out "$work/leaf.crt" 2>/dev/null
cat "$work/leaf.crt" "$work/ca.crt" >"$work/server.crt"

# The key last: a reader that sees a new key sees its certificate too.
chmod 644 "$work/ca.crt" "$work/server.crt"
mv "$work/ca.crt" "$work/server.crt" "$here/"
mv "$work/server.key" "$here/"
echo "made ca.crt, server.crt and server.key in $here for $names"
