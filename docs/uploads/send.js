// Sends a file to an upload that your server has created. No key is here: the signed URLs are all that is needed.
export async function send(file, upload, { onProgress = () => {}, attempts = 6 } = {}) {
  const whole = { start: 0, size_bytes: file.size, status: upload.status, upload: upload.upload };
  let sent = 0;
  for (const part of upload.parts ?? [whole]) {
    const bytes = file.slice(part.start, part.start + part.size_bytes);
    if (part.status === "pending") await sendPart(bytes, part.upload, attempts);
    sent += part.size_bytes;
    onProgress(sent, file.size);
  }
}

async function sendPart(bytes, { url, method, headers }, attempts) {
  for (let attempt = 1; ; attempt++) {
    const answer = await fetch(url, { method, headers, body: bytes }).catch(() => null); // null: no connection
    if (answer?.ok || answer?.status === 409) return; // 409: it was here already, and only the answer was lost
    const isFinal = answer && answer.status < 500 && answer.status !== 408 && answer.status !== 429;
    if (isFinal || attempt >= attempts) throw new Error(answer ? `refused with ${answer.status}` : "no connection");
    await new Promise((wake) => setTimeout(wake, 250 * 2 ** attempt));
  }
}
