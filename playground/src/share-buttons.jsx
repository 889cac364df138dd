import { ToolbarButton, useGraphiQL } from '@graphiql/react';
import { copy, curlCommand, linkTo } from './share.js';

/** Toolbar buttons for taking the request of the open tab elsewhere. */
export function ShareButtons({ onDone }) {
  const { queryEditor, variableEditor, operationName } = useGraphiQL((state) => ({
    queryEditor: state.queryEditor,
    variableEditor: state.variableEditor,
    operationName: state.operationName,
  }));

  function request() {
    return { query: queryEditor.getValue(), variables: variableEditor.getValue(), operationName };
  }

  async function copyCurl() {
    try {
      await copy(curlCommand(request()));
      onDone('Copied as curl; put the token into $TOKEN');
    } catch (error) {
      onDone(`Not copied: ${error.message}`);
    }
  }

  async function copyLink() {
    const link = linkTo(request());
    // replaceState, unlike assigning the hash, does not reload the page.
    history.replaceState(null, '', link);
    await copy(link);
    onDone('Link copied; it holds the query and variables, no token');
  }

  return (
    <>
      <ToolbarButton label="Copy as curl" onClick={copyCurl}>
        <Icon path="m4 6 5 6-5 6M12 18h8" />
      </ToolbarButton>
      <ToolbarButton label="Copy link to this query" onClick={copyLink}>
        <Icon path="M10 14a4 4 0 0 0 6 0l4-4a4 4 0 0 0-6-6l-1.5 1.5M14 10a4 4 0 0 0-6 0l-4 4a4 4 0 0 0 6 6l1.5-1.5" />
      </ToolbarButton>
    </>
  );
}

function Icon({ path }) {
  return (
    <svg className="graphiql-toolbar-icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="2" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}
