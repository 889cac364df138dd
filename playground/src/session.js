// A session says who is asking: token() resolves to the bearer token for the
// next request. Tokens live in these closures only, never in the browser's
// storage. A different tenant, role or token is a new session.

const renewBeforeMs = 60_000;

/** The server signs no tokens itself, so somebody has to bring one. */
export class NotInDevelopment extends Error {}

/** Asks the server for short-lived tokens and for the next one before the last expires. */
export function developmentSession(tenant, role) {
  let grant = null;

  async function request() {
    const response = await fetch('token', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ tenant, role }),
    });
    if (response.status === 404) {
      throw new NotInDevelopment('This server issues no development tokens.');
    }
    if (!response.ok) {
      throw new Error(`No token for ${role} of ${tenant}: HTTP ${response.status}.`);
    }
    const { token, expiresAt } = await response.json();
    return { token, renewAt: Date.parse(expiresAt) - renewBeforeMs };
  }

  return {
    kind: 'development',
    label: `${role} of ${tenant}`,
    tenant,
    role,
    async token() {
      if (!grant || Date.now() >= (await grant).renewAt) {
        grant = request();
      }
      try {
        return (await grant).token;
      } catch (error) {
        grant = null;
        throw error;
      }
    },
    /** The server refused the token, as it does after a restart with new keys. */
    forget() {
      grant = null;
    },
  };
}

/** Uses the token somebody typed in; an empty one sends nothing. */
export function pastedSession(token) {
  return {
    kind: 'pasted',
    label: 'pasted token',
    async token() {
      if (!token) {
        throw new Error('Paste a bearer token at the top of the page first.');
      }
      return token;
    },
    forget() {},
  };
}
