// The small page's script is deflated: it is inflated and run. The policy knows its digest.
(async () => {
  const bytes = Uint8Array.from(atob(document.getElementById("script").textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const script = document.createElement("script");
  script.textContent = await new Response(stream).text();
  document.body.append(script);
})();
