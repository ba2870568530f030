/**
 * A photo made small and drawn anew: what the camera wrote into the file (place, device) does not leave the phone with it. Only
 * when it was taken is read first, and sent beside it.
 */
import { Exifr } from "exifr/dist/mini.esm.mjs";
import type { Picture } from "./store";

const LONGEST_SIDE = 1600;
const QUALITY = 0.82;
const TAKEN = 0x9003,
  TAKEN_ZONE = 0x9011; // EXIF DateTimeOriginal, OffsetTimeOriginal

export async function shrunk(file: Blob): Promise<Picture> {
  // A picture of the gallery was not taken now: its file says when. The camera's own picture was written a moment ago.
  const original = await takenAt(file);
  const taken_at =
    original ?? new Date(file instanceof File ? Math.min(file.lastModified, Date.now()) : Date.now()).toISOString();
  const image = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, LONGEST_SIDE / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(image.width * scale));
  canvas.height = Math.max(1, Math.round(image.height * scale));
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("no canvas");
  pen.fillStyle = "#fff"; // where a picture is transparent
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  image.close();
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
  if (!blob) throw new Error("not encoded");
  return { bytes: await blob.arrayBuffer(), taken_at, ...(original ? { original } : {}) };
}

/** The camera's clock; without a zone it is the phone's. Many pictures do not say. */
async function takenAt(file: Blob): Promise<string | undefined> {
  try {
    // the small build knows tags by number only
    const reader = new Exifr({
      exif: { pick: [TAKEN, TAKEN_ZONE] },
      translateKeys: false,
      translateValues: false,
      reviveValues: false,
    });
    await reader.read(file);
    const said = (await reader.parse()) as Record<number, string> | undefined;
    const parts = /^(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)/.exec(said?.[TAKEN] ?? "");
    if (!parts) return undefined;
    const zone = /^[+-]\d\d:\d\d$/.exec(said?.[TAKEN_ZONE] ?? "")?.[0] ?? "";
    return new Date(`${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}${zone}`).toISOString();
  } catch {
    return undefined;
  }
}
