#!/usr/bin/env bash
# Make a certificate authority for tests, and a certificate of it that signs bundles, once. For devices take an authority
# whose key is kept offline (docs/operations.md).
# usage: image/authority.sh FOLDER [NAME]      (writes ca.pem, signer.pem, signer.key)
set -euo pipefail

folder=$1 name=${2:-polyface test}
[ ! -e "$folder/signer.pem" ] || exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 0077

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/ca.key" -out "$work/ca.pem" -days 7300 \
    -subj "/CN=$name CA" -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/signer.key" -out "$work/request" \
    -subj "/CN=$name signer" 2>/dev/null
openssl x509 -req -in "$work/request" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 7300 -out "$work/signer.pem" \
    -extfile <(printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n') 2>/dev/null
mkdir -p "$folder"
mv "$work"/{ca.pem,signer.key,signer.pem} "$folder/" # the key of the authority is not needed again
