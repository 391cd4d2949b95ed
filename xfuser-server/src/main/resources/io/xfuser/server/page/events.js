/** Server-sent events of a response to a POST, which EventSource cannot make: data as JSON, and comments. */
export async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) {
        return;
      }
      const parts = (rest + value).split(/\r?\n\r?\n/);
      rest = parts.pop();
      yield* parts.map(parse).filter(Boolean);
    }
  } finally {
    reader.cancel().catch(() => {}); // a connection that was given up
  }
}

function parse(text) {
  const lines = text.split(/\r?\n/);
  const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim()).join("\n");
  if (data !== "") {
    return { data: JSON.parse(data) };
  }
  const comment = lines.find((line) => line.startsWith(":"));
  return comment && { comment: comment.slice(1).trim() };
}
