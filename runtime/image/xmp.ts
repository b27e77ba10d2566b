const NAMESPACE = "urn:kleinbild:settings:1:";

/**
 * An XMP packet (ISO 16684-1): the settings as one property, the prompt as the description and the software as the creator
 * tool, where image software looks for them.
 */
export function buildXmp(settings: string, description: string, software: string): string {
  return `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:kleinbild="${NAMESPACE}">
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">${escapeXml(description)}</rdf:li></rdf:Alt></dc:description>
<xmp:CreatorTool>${escapeXml(software)}</xmp:CreatorTool>
<kleinbild:settings>${escapeXml(settings)}</kleinbild:settings>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>`;
}

/** The settings of a packet that `buildXmp` wrote. */
export function readXmpSettings(packet: string): string | undefined {
  if (!packet.includes(NAMESPACE)) return undefined;
  const settings = /<kleinbild:settings>([^<]*)<\/kleinbild:settings>/.exec(packet)?.[1];
  return settings === undefined ? undefined : unescapeXml(settings);
}

/** Control characters, which XML 1.0 forbids, are escaped in JSON already and dropped from the description. */
function escapeXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll(/[^\t\n\r\u0020-\uFFFD]/g, "")
    .replaceAll("\r", "&#13;");
}

function unescapeXml(text: string): string {
  return text.replaceAll("&#13;", "\r").replaceAll("&gt;", ">").replaceAll("&lt;", "<").replaceAll("&amp;", "&");
}
