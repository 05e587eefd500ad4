/**
 * Pictures that a trajectory carries in itself, as data URIs. Only kinds that hold pixels are shown, and only after a look
 * at how many: a picture of a few bytes can ask for gigabytes when it is drawn.
 */

const KINDS = ["png", "jpeg", "jpg", "gif", "webp"];
const PREFIX = "data:image/";
const MOST_CHARS = 6_000_000;
const MOST_PIXELS = 24_000_000;
/** Base64 of the start of a picture, where its size stands. */
const HEAD = 64_000;

function isBase64(code) {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 47 && code <= 57) || code === 43;
}

function bytesOf(base64) {
  try {
    return Uint8Array.from(atob(base64.slice(0, base64.length - (base64.length % 4))), (sign) => sign.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

function jpegSize(bytes) {
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1];
    const length = (bytes[at + 2] << 8) | bytes[at + 3];
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return [(bytes[at + 7] << 8) | bytes[at + 8], (bytes[at + 5] << 8) | bytes[at + 6]];
    at += 2 + length;
  }
  return null;
}

function webpSize(bytes, view) {
  const kind = String.fromCharCode(...bytes.slice(12, 16));
  if (kind === "VP8X") return [1 + (view.getUint32(24, true) & 0xffffff), 1 + (view.getUint32(26, true) >>> 8)];
  if (kind === "VP8L") return [1 + (view.getUint32(21, true) & 0x3fff), 1 + ((view.getUint32(21, true) >>> 14) & 0x3fff)];
  return kind === "VP8 " ? [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff] : null;
}

/** @returns {[number, number]|null} width and height, read from the bytes themselves */
export function sizeOf(base64) {
  const bytes = bytesOf(base64.slice(0, HEAD));
  if (bytes.length < 34) return null;
  const view = new DataView(bytes.buffer);
  if (view.getUint32(0) === 0x89504e47) return [view.getUint32(16), view.getUint32(20)];
  if (view.getUint32(0) === 0x47494638) return [view.getUint16(6, true), view.getUint16(8, true)];
  if (view.getUint16(0) === 0xffd8) return jpegSize(bytes);
  return view.getUint32(0) === 0x52494646 ? webpSize(bytes, view) : null;
}

/** @returns {{from: number, to: number, size: [number, number]}[]} where the text is a picture that may be shown */
export function imagesIn(text) {
  const found = [];
  for (let from = text.indexOf(PREFIX); from >= 0; from = text.indexOf(PREFIX, from + PREFIX.length)) {
    const comma = text.indexOf(";base64,", from);
    if (comma < 0 || !KINDS.includes(text.slice(from + PREFIX.length, comma))) continue;
    const start = comma + 8;
    let to = start;
    while (to < text.length && isBase64(text.charCodeAt(to))) to++;
    const size = to - start >= 48 && to - start <= MOST_CHARS ? sizeOf(text.slice(start, to)) : null;
    while (text[to] === "=" && to < text.length) to++;
    if (size && size[0] > 0 && size[1] > 0 && size[0] * size[1] <= MOST_PIXELS) found.push({ from, to, size });
  }
  return found;
}
