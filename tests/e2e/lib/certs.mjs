// A certificate authority for one run, and server certificates under it, made with openssl(1).
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

const openssl = (...args) => execFileSync('openssl', args, {stdio: ['ignore', 'pipe', 'pipe']});

export class CertificateAuthority {
  constructor(dir) {
    mkdirSync(dir, {recursive: true});
    this.dir = dir;
    this.key = join(dir, 'ca.key');
    this.cert = join(dir, 'ca.pem');
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30', '-subj',
      '/CN=Demo CA', '-addext', 'basicConstraints=critical,CA:TRUE', '-keyout', this.key, '-out', this.cert);
    this.pem = readFileSync(this.cert, 'utf8');
  }

  // -> {key, cert}: paths of a server's key and its chain, for those names.
  issue(name, names = ['DNS:localhost', 'IP:127.0.0.1']) {
    const [key, request, cert, extensions] = ['key', 'csr', 'pem', 'ext'].map((end) => join(this.dir, `${name}.${end}`));
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`, '-keyout', key, '-out', request);
    writeFileSync(extensions, `subjectAltName=${names}\nextendedKeyUsage=serverAuth\n`);
    openssl('x509', '-req', '-in', request, '-CA', this.cert, '-CAkey', this.key, '-CAcreateserial', '-days', '30', '-extfile', extensions, '-out', cert);
    return {key, cert};
  }
}

// The base64 SHA-256 of a certificate's public key, as Chromium's --ignore-certificate-errors-spki-list wants it.
export function spkiHash(certPath) {
  const publicKey = openssl('x509', '-in', certPath, '-pubkey', '-noout');
  const der = execFileSync('openssl', ['pkey', '-pubin', '-outform', 'der'], {input: publicKey});
  return createHash('sha256').update(der).digest('base64');
}
