// The workers must be set up before anything touches the editor.
import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import '@graphiql/plugin-explorer/style.css';
import './playground.css';
import { createRoot } from 'react-dom/client';
import { Playground } from './playground.jsx';

// A link pasted into the address bar of an open page changes only the hash.
addEventListener('hashchange', () => location.reload());

createRoot(document.getElementById('root')).render(<Playground />);
