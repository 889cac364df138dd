import 'swagger-ui-dist/swagger-ui.css';
import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';

// The page of a contract lies beside its document: /openapi/durion shows /openapi/durion.yaml.
const name = location.pathname.split('/').pop();

document.title = `${name} – crmgraph`;

// A page that opens with an operation, as its address may ask, leaves references among the parameters of the
// path unresolved, so that none can be filled in. Among those of the operation they are resolved.
function parametersToOperations(spec) {
  for (const path of Object.values(spec.paths)) {
    const { parameters = [], ...operations } = path;
    delete path.parameters;
    for (const operation of Object.values(operations)) {
      operation.parameters = [...parameters, ...(operation.parameters ?? [])];
    }
  }
  return spec;
}

SwaggerUI({
  dom_id: '#root',
  url: `${name}.yaml`,
  deepLinking: true,
  // The schemas are shown where they are used; below the operations they are a long list.
  defaultModelsExpandDepth: 0,
  // The public service that would validate the document is another host.
  validatorUrl: null,
  plugins: [
    {
      statePlugins: {
        spec: { wrapActions: { updateJsonSpec: (update) => (spec) => update(parametersToOperations(spec)) } },
      },
    },
  ],
});
