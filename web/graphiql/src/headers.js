const template = { Authorization: 'Bearer <paste a token here>' };

/**
 * The headers editor's first content. Only a demo server answers config.json with headers; elsewhere the user pastes
 * a token, which is never stored in the browser.
 */
export async function initialHeaders() {
  const response = await fetch('config.json', { cache: 'no-store' });
  const headers = response.ok ? (await response.json()).headers : template;
  return JSON.stringify(headers, null, 2);
}
