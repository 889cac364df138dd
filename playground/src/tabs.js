const documents = import.meta.glob('../tabs/*.graphql', { query: '?raw', import: 'default', eager: true });
const variables = import.meta.glob('../tabs/*.variables.json', { query: '?raw', import: 'default', eager: true });

/** The tabs of a first visit, in the order of their file names; the operation's name is the title. */
export const tabs = Object.keys(documents)
  .sort()
  .map((path) => ({
    query: documents[path],
    variables: variables[path.replace(/\.graphql$/, '.variables.json')],
  }));
