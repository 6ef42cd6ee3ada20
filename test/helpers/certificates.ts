import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of a certificate and its key, which is private. */
export interface CertificateFiles {
  cert: string;
  key: string;
}

interface CertificateOptions {
  /** Alternative names, such as `DNS:db.example.com`. */
  names?: string;
  common_name?: string;
  /** As openssl takes them: `20200101000000Z`. */
  from?: string;
  to?: string;
}

/** A certificate authority in a folder, made by openssl. */
export class Authority {
  readonly cert: string;
  readonly #dir: string;
  readonly #config: string;

  constructor(dir: string) {
    mkdirSync(dir, { recursive: true });
    this.#dir = dir;
    this.cert = join(dir, 'ca.crt');
    this.#config = join(dir, 'ca.cnf');
    const key = join(dir, 'ca.key');
    openssl(
      dir,
      'req',
      '-x509',
      ...NEW_KEY,
      '-days',
      '30',
      '-subj',
      '/CN=Test authority',
      '-keyout',
      key,
      '-out',
      this.cert,
    );
    for (const [name, text] of [
      ['index.txt', ''],
      ['serial', '01\n'],
      ['crlnumber', '01\n'],
    ] as const) {
      writeFileSync(join(dir, name), text);
    }
    writeFileSync(
      this.#config,
      `[ca]\ndefault_ca=d\n[d]\ndir=${dir}\ndatabase=${dir}/index.txt\nserial=${dir}/serial\ncrlnumber=${dir}/crlnumber\n` +
        `new_certs_dir=${dir}\ncertificate=${this.cert}\nprivate_key=${key}\ndefault_md=sha256\ndefault_days=30\n` +
        'default_crl_days=30\npolicy=p\nunique_subject=no\ncopy_extensions=copy\n[p]\ncommonName=supplied\n',
    );
  }

  issue(file: string, { names, common_name = file, from, to }: CertificateOptions = {}): CertificateFiles {
    const path = (ending: string) => join(this.#dir, `${file}.${ending}`);
    const extension = names === undefined ? [] : ['-addext', `subjectAltName=${names}`];
    openssl(
      this.#dir,
      'req',
      ...NEW_KEY,
      '-subj',
      `/CN=${common_name}`,
      ...extension,
      '-keyout',
      path('key'),
      '-out',
      path('csr'),
    );
    const dates = [
      ...(from === undefined ? [] : ['-startdate', from]),
      ...(to === undefined ? [] : ['-enddate', to]),
    ];
    openssl(
      this.#dir,
      'ca',
      '-batch',
      '-config',
      this.#config,
      ...dates,
      '-in',
      path('csr'),
      '-out',
      path('crt'),
      '-notext',
    );
    chmodSync(path('key'), 0o600);
    return { cert: path('crt'), key: path('key') };
  }

  /** Revokes a certificate; the path of the list of revoked ones. */
  revoke({ cert }: CertificateFiles): string {
    const list = join(this.#dir, 'ca.crl');
    openssl(this.#dir, 'ca', '-config', this.#config, '-revoke', cert);
    openssl(this.#dir, 'ca', '-config', this.#config, '-gencrl', '-out', list);
    return list;
  }
}

/** The same certificate with the key readable by others. */
export function exposeKey({ cert, key }: CertificateFiles): CertificateFiles {
  const exposed = `${key}.exposed`;
  copyFileSync(key, exposed);
  chmodSync(exposed, 0o644);
  return { cert, key: exposed };
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

function openssl(cwd: string, ...args: string[]): void {
  execFileSync('openssl', args, { cwd, stdio: 'pipe' });
}
