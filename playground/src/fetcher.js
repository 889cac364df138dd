import { parse } from 'graphql';

/** The GraphQL endpoint beside this page, whatever path prefix both are served under. */
export const endpoint = new URL('../graphql', location.href).href.replace(/[#?].*/, '');

/**
 * Makes GraphiQL's fetcher: one POST, one JSON answer. onAnswer hears the
 * status, duration, cost and asker of everything a person ran.
 */
export function createFetcher(session, onAnswer) {
  return async ({ query, variables, operationName }) => {
    const token = await session.token();
    const started = performance.now();
    const response = await fetch(endpoint, {
      method: 'POST',
      credentials: 'omit',
      headers: {
        Accept: 'application/graphql-response+json, application/json',
        'Content-Type': 'application/json',
        Authorization: `Bearer ${token}`,
      },
      body: JSON.stringify({ query, variables, operationName: confirm(operationName, query) }),
    });
    if (response.status === 401) {
      session.forget();
    }
    const answer = await readJSON(response);
    if (operationName !== 'IntrospectionQuery') {
      onAnswer({
        status: response.status,
        milliseconds: performance.now() - started,
        cost: answer.extensions?.cost,
        asker: session.label,
      });
    }
    return answer;
  };
}

async function readJSON(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`HTTP ${response.status} without JSON: ${text.slice(0, 200)}`);
  }
}

// GraphiQL learns the name a moment after the text changed: right after a change
// of tab it still says the other tab's.
function confirm(operationName, query) {
  try {
    const { definitions } = parse(query);
    return definitions.some(({ name }) => name?.value === operationName) ? operationName : undefined;
  } catch {
    return undefined; // the server says what is wrong with the document
  }
}
