import { useEffect, useMemo, useState } from 'react';
import { GraphiQL } from 'graphiql';
import { HISTORY_PLUGIN } from '@graphiql/plugin-history';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { createFetcher } from './fetcher.js';
import { developmentSession, NotInDevelopment, pastedSession } from './session.js';
import { SessionBar } from './session-bar.jsx';
import { ShareButtons } from './share-buttons.jsx';
import { linkedTab } from './share.js';
import { tabs } from './tabs.js';

const plugins = [explorerPlugin(), HISTORY_PLUGIN];
const linked = linkedTab();

export function Playground() {
  const [session, setSession] = useState(() => developmentSession('demo', 'admin'));
  const [status, setStatus] = useState('Ctrl-Enter runs the query');
  // A new fetcher makes GraphiQL read the schema again, as the new session.
  const fetcher = useMemo(() => createFetcher(session, (answer) => setStatus(describe(answer))), [session]);

  useEffect(() => {
    session.token().catch((error) => {
      if (error instanceof NotInDevelopment) {
        setSession(pastedSession(''));
      } else if (session.kind === 'development') {
        setStatus(error.message);
      }
    });
  }, [session]);

  return (
    <>
      <SessionBar session={session} onChange={setSession} />
      <GraphiQL
        fetcher={fetcher}
        plugins={plugins}
        defaultTabs={linked ? [linked, ...tabs] : tabs}
        initialQuery={linked?.query}
        initialVariables={linked?.variables}
        defaultEditorToolsVisibility="variables"
        // GraphiQL's history writes headers to local storage whatever shouldPersistHeaders says.
        isHeadersEditorEnabled={false}
        shouldPersistHeaders={false}
      >
        <GraphiQL.Logo>
          <span />
        </GraphiQL.Logo>
        <GraphiQL.Toolbar>
          {({ prettify, merge, copy }) => (
            <>
              {prettify}
              {merge}
              {copy}
              <ShareButtons onDone={setStatus} />
            </>
          )}
        </GraphiQL.Toolbar>
        <GraphiQL.Footer>
          <output className="status">{status}</output>
        </GraphiQL.Footer>
      </GraphiQL>
    </>
  );
}

function describe({ status, milliseconds, cost, asker }) {
  const spent = cost === undefined ? [] : [`cost ${describeCost(cost)}`];
  return [`HTTP ${status}`, `${Math.round(milliseconds)} ms`, ...spent, asker].join(' · ');
}

function describeCost(cost) {
  return cost !== null && typeof cost === 'object'
    ? Object.entries(cost).map(([name, value]) => `${name} ${value}`).join(', ')
    : cost;
}
