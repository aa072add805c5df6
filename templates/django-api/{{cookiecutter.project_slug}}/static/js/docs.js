// Swagger UI from our own files: its usual page is an inline script and a CDN.
const place = document.querySelector("#swagger-ui");
window.SwaggerUIBundle({
  url: place.dataset.document,
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  defaultModelsExpandDepth: -1,
});
