// Pictures from a file, the clipboard or the camera → pixels.
import { element } from "./draw.js";
import { t } from "./i18n.js";
import { Complaint } from "./weights.js";

const MOST_PIXELS = 100e6;
const LONGEST = 1600; // pixels: larger pictures are drawn smaller

/** {canvas, width, height, scale} of a picture file, upright; scale is that of the canvas. */
export async function pixelsOf(blob, name) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, { imageOrientation: "from-image" });
  } catch {
    throw new Complaint("notPicture", { name });
  }
  const { width, height } = bitmap;
  if (width * height > MOST_PIXELS) throw new Complaint("tooLarge", { name });
  const scale = Math.min(1, LONGEST / Math.max(width, height));
  const size = { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
  const canvas = Object.assign(document.createElement("canvas"), size);
  canvas.getContext("2d", { willReadFrequently: true }).drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return { canvas, width, height, scale };
}

/** The first picture in what was pasted or dropped, or null. */
export function pictureIn(transfer) {
  const files = [...(transfer?.files ?? [])];
  return files.find((file) => file.type.startsWith("image/")) ?? files[0] ?? null;
}

/** A photo by the camera, as a blob; null where the user cancels. Throws a Complaint where there is none. */
export async function photograph(dialog) {
  let stream;
  try {
    const wanted = { video: { facingMode: "environment", width: { ideal: 1280 } } };
    stream = await navigator.mediaDevices.getUserMedia(wanted);
  } catch (error) {
    throw new Complaint("noCamera", { reason: error.name === "TypeError" ? location.protocol : error.name });
  }
  const video = element("video", { autoplay: true, playsinline: true, muted: true });
  video.srcObject = stream;
  return new Promise((resolve) => {
    const end = (blob) => {
      for (const track of stream.getTracks()) track.stop();
      dialog.close();
      resolve(blob);
    };
    const take = () => {
      const size = { width: video.videoWidth || 1, height: video.videoHeight || 1 };
      const canvas = Object.assign(document.createElement("canvas"), size);
      canvas.getContext("2d").drawImage(video, 0, 0);
      canvas.toBlob(end, "image/jpeg", 0.95);
    };
    dialog.replaceChildren(
      element("p", {}, t("cameraTitle")),
      video,
      element("button", { type: "button", class: "go", onclick: take }, t("takePicture")),
      element("button", { type: "button", onclick: () => end(null) }, t("cancel")),
    );
    dialog.oncancel = () => end(null);
    dialog.showModal();
  });
}
