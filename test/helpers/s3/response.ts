/** The response to a request. */
export interface S3Response {
  status: number;
  headers?: Record<string, string | number>;
  body?: string | { length: number; bytes: AsyncIterable<Buffer> };
}

export function ok(body = '', headers: S3Response['headers'] = {}): S3Response {
  return { status: 200, headers, body };
}

/** An S3 error response. */
export class S3Error extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string = code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Text as the content of an XML element. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&"'\u0000-\u001f]/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** An element with inner XML. */
export function element(name: string, inner: string | number | boolean): string {
  return `<${name}>${inner}</${name}>`;
}

/** An element with text. */
export function textElement(name: string, text: string): string {
  return element(name, escapeXml(text));
}

/** An S3 response document. */
export function xmlDocument(root: string, inner: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</${root}>`;
}

/** The text of the first element of that name. */
export function textOf(xml: string, name: string): string | undefined {
  const inner = new RegExp(`<${name}>([^]*?)</${name}>`).exec(xml)?.[1];
  return inner === undefined ? undefined : unescapeXml(inner);
}

/** The inner XML of every element of that name. */
export function innerXmlOf(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^]*?)</${name}>`, 'g'))].map((match) => match[1] ?? '');
}

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(#x[0-9a-f]+|#\d+|lt|gt|amp|quot|apos);/gi, (_, entity: string) => {
    if (!entity.startsWith('#')) return ENTITIES[entity] ?? '';
    const hex = entity[1] === 'x';
    return String.fromCodePoint(Number.parseInt(entity.slice(hex ? 2 : 1), hex ? 16 : 10));
  });
}
