const NAMESPACE = "urn:kleinbild:settings:1:";
/** A property is an element, or an attribute once other software has rewritten the packet. */
const SETTINGS = /<kleinbild:settings>([^<]*)<\/kleinbild:settings>|\skleinbild:settings=(?:"([^"]*)"|'([^']*)')/;
const NOTE = /xmpNote:HasExtendedXMP(?:>|=["'])([\dA-F]{32})/;
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
]);

/**
 * XMP (ISO 16684-1) without the packet's wrapper: the settings as one property, the prompt as the description and the
 * software as the creator tool, where image software looks for them.
 *
 * @param settings without characters that XML 1.0 forbids, so that it can be read back unchanged
 */
export function buildXmp(settings: string, description: string, software: string): string {
  return xmpmeta(
    `xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:kleinbild="${NAMESPACE}"`,
    `<dc:description><rdf:Alt><rdf:li xml:lang="x-default">${escapeXml(description)}</rdf:li></rdf:Alt></dc:description>
<xmp:CreatorTool>${escapeXml(software)}</xmp:CreatorTool>
<kleinbild:settings>${escapeXml(settings)}</kleinbild:settings>`,
  );
}

/** The packet of a JPEG whose XMP is in extension segments of this name. */
export function buildXmpNote(extension: string): string {
  return xmpmeta(
    `xmlns:xmpNote="http://ns.adobe.com/xmp/note/"`,
    `<xmpNote:HasExtendedXMP>${extension}</xmpNote:HasExtendedXMP>`,
  );
}

/** The extension that a packet names. */
export function readXmpNote(xmp: string): string | undefined {
  return NOTE.exec(xmp)?.[1];
}

/** The bytes of a packet around XMP that software may not rewrite in place. */
export function wrapXmp(xmp: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(
    `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>\n${xmp}\n<?xpacket end="r"?>`,
  );
}

/** The settings in XMP that `buildXmp` wrote. */
export function readXmpSettings(xmp: string): string | undefined {
  if (!xmp.includes(NAMESPACE)) return undefined;
  const match = SETTINGS.exec(xmp);
  const settings = match?.[1] ?? match?.[2] ?? match?.[3];
  return settings === undefined ? undefined : unescapeXml(settings);
}

function xmpmeta(namespaces: string, properties: string): string {
  return `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" ${namespaces}>
${properties}
</rdf:Description></rdf:RDF></x:xmpmeta>`;
}

/** Drops the characters that XML 1.0 forbids. */
function escapeXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll(/[^\t\n\r\u0020-\uFFFD]/g, "")
    .replaceAll("\r", "&#13;");
}

function unescapeXml(text: string): string {
  return text.replaceAll(
    /&(?:#x([\da-f]{1,6})|#(\d{1,7})|([a-z]+));/gi,
    (whole: string, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return ENTITIES.get(name) ?? whole;
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}
