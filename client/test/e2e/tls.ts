// A self-signed certificate for the real server. With `AFFECTOGRAPH_TLS=1` all tests with the real server use TLS.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { need } from '../need';

export const IS_TLS = process.env['AFFECTOGRAPH_TLS'] === '1';

const hasOpenssl = (): boolean => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
};
/** The reason why there is no certificate, or false. */
export const noCertificate = (): string | false => need(hasOpenssl() ? false : 'there is no openssl');

/** Writes it to `folder`, unless it is there. Returns the options of `serve`. */
export const certificate = (folder: string): string[] => {
  const [chain, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  if (!existsSync(chain)) execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', chain,
  ], { stdio: 'pipe' });
  return ['--certificate', chain, '--private-key', key];
};
