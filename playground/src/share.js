import { endpoint } from './fetcher.js';

/** The document and variables this page was opened with, or null. */
export function linkedTab() {
  const shared = new URLSearchParams(location.hash.slice(1));
  return shared.has('query')
    ? { query: shared.get('query'), variables: shared.get('variables') ?? '' }
    : null;
}

/** The address that opens this page with the document and its variables: no token, no headers. */
export function linkTo({ query, variables }) {
  const url = new URL(location.href);
  url.hash = new URLSearchParams({ query, variables });
  return url.href;
}

/** A shell command that sends the same request with the token in $TOKEN. Throws on malformed variables. */
export function curlCommand({ query, variables, operationName }) {
  const body = JSON.stringify({
    query,
    variables: variables.trim() ? JSON.parse(variables) : undefined,
    operationName: operationName ?? undefined,
  });
  return [
    `curl ${quote(endpoint)}`,
    `-H 'Content-Type: application/json'`,
    `-H "Authorization: Bearer $TOKEN"`,
    `--data ${quote(body)}`,
  ].join(' \\\n  ');
}

/** Copies to the clipboard, or shows the text to copy by hand: plain HTTP pages have no clipboard. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    prompt('Copy this text:', text);
  }
}

function quote(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
