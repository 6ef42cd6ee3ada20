import { connect } from 'node:tls';

/** Why a connection with TLS failed. */
export type TlsProblem =
  | 'not-offered'
  | 'unknown-authority'
  | 'wrong-name'
  | 'expired'
  | 'not-yet-valid'
  | 'revoked'
  | 'client-certificate-required'
  | 'client-certificate-rejected'
  | 'bad-file'
  | 'handshake';

/** In order: codes of OpenSSL and Node, and what the database driver says. */
const PROBLEMS: [pattern: RegExp, problem: TlsProblem][] = [
  [/server does not support SSL connections|error establishing an SSL connection/, 'not-offered'],
  [/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST/, 'not-offered'],
  [/ALTNAME_INVALID/, 'wrong-name'],
  [
    /ALERT_CERTIFICATE_REQUIRED|SSLV3_ALERT_HANDSHAKE_FAILURE|ALERT_NO_CERTIFICATE/,
    'client-certificate-required',
  ],
  [
    /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_|UNSUPPORTED_CERT|DECRYPT_ERROR|ACCESS_DENIED)/,
    'client-certificate-rejected',
  ],
  [/^CERT_HAS_EXPIRED/, 'expired'],
  [/^CERT_NOT_YET_VALID/, 'not-yet-valid'],
  [/^CERT_REVOKED/, 'revoked'],
  [
    /SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER|VERIFY_LEAF)|CERT_UNTRUSTED|INVALID_CA|CERT_SIGNATURE_FAILURE/,
    'unknown-authority',
  ],
  [/KEY_VALUES_MISMATCH|KEY_TYPE_MISMATCH|ERR_OSSL_|PEM_|BAD_DECRYPT|INTERRUPTED_OR_CANCELLED/, 'bad-file'],
  [
    /^(ERR_SSL_|ERR_TLS_|CERT_|CRL_|UNABLE_TO_|EPROTO|HOSTNAME_MISMATCH|INVALID_PURPOSE|PATH_LENGTH)/,
    'handshake',
  ],
];

/** Undefined if the error has nothing to do with TLS. */
export function tlsProblem(error: unknown): TlsProblem | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = codeOf(error);
  return PROBLEMS.find(([pattern]) => pattern.test(code))?.[1];
}

/** The code of an error; that of OpenSSL where Node leaves it in the message; the message if there is none. */
function codeOf(error: Error): string {
  if (!('code' in error)) return error.message;
  const reason = error.code === 'EPROTO' ? opensslReason(error.message) : undefined;
  return reason === undefined ? String(error.code) : `ERR_SSL_${reason.toUpperCase().replaceAll(' ', '_')}`;
}

/** `error:0A00010B:SSL routines:some_function:wrong version number:…` */
function opensslReason(message: string): string | undefined {
  return /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1];
}

/** What the names of the settings are, for hints. */
export interface TlsSettingNames {
  /** The setting with the file of trusted authorities. */
  ca: string;
  /** What to do about a certificate for another name. */
  name: string;
  /** What to do if the server does not use TLS. */
  plain: string;
  /** What to do if the server requires a certificate of the client. */
  client: string;
}

/** Completes a sentence that begins with the server; and what to do. */
export function describeTlsProblem(
  problem: TlsProblem,
  error: unknown,
  names: TlsSettingNames,
): { what: string; hint: string } {
  const message = error instanceof Error ? error.message : String(error);
  const detail = opensslReason(message) ?? message;
  const isSelfSigned = /SELF_SIGNED/.test(String((error as { code?: unknown }).code));
  switch (problem) {
    case 'not-offered':
      return { what: 'does not offer TLS', hint: names.plain };
    case 'unknown-authority':
      return {
        what: isSelfSigned
          ? 'has a self-signed certificate, or one of an unknown authority'
          : 'has a certificate of an unknown authority',
        hint: `Set ${names.ca} to the PEM file of the authority that signed it.`,
      };
    case 'wrong-name':
      return { what: `has a certificate for another name: ${detail}`, hint: names.name };
    case 'expired':
      return { what: 'has an expired certificate', hint: 'Renew the certificate of the server.' };
    case 'not-yet-valid':
      return { what: 'has a certificate that is not valid yet', hint: 'Check the clocks of both machines.' };
    case 'revoked':
      return { what: 'has a revoked certificate', hint: 'Replace the certificate of the server.' };
    case 'client-certificate-required':
      return { what: 'requires a client certificate', hint: names.client };
    case 'client-certificate-rejected':
      return { what: 'rejected the client certificate', hint: names.client };
    case 'bad-file':
      return {
        what: `cannot be used with the configured certificate files: ${detail}`,
        hint: 'Check that they are PEM files, and that the key has no passphrase and belongs to the certificate.',
      };
    case 'handshake':
      return { what: `failed the TLS handshake: ${detail}`, hint: 'See the log of the server for details.' };
  }
}

const PROBE_MS = 3_000;

/** Whether a TLS server listens there: it answers the start of a handshake, whatever its certificate. */
export function speaksTls(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port, rejectUnauthorized: false });
  socket.setTimeout(PROBE_MS, () => resolve(false));
  socket.once('secureConnect', () => resolve(true));
  // A server that requires a certificate of the client breaks off with an alert.
  socket.on('error', (error) => resolve(/ALERT/.test(String('code' in error ? error.code : ''))));
  socket.once('close', () => resolve(false));
  return promise.finally(() => socket.destroy());
}
