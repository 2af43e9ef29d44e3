#!/usr/bin/env bash
# In the folder given: ca.pem, and server.pem with server.key for localhost, issued by it; other-ca.pem, which issued nothing.
set -euo pipefail
cd "$1"
authority() { openssl req -x509 -newkey ed25519 -nodes -keyout "$1.key" -out "$1.pem" -subj "/CN=$1" -days 2; }
authority ca
authority other-ca
openssl req -newkey ed25519 -nodes -keyout server.key -out server.csr -subj /CN=localhost
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -days 2 -out server.pem -extfile <(echo subjectAltName=DNS:localhost)
