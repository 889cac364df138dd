package durion

import _ "embed" // of the document

// OpenAPI is the contract as an OpenAPI 3.1 document. The tests of this package hold every exchange
// against it, and it against [Routes].
//
//go:embed openapi.yaml
var OpenAPI []byte
