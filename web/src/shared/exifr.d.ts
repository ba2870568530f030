/** The small build of exifr (JPEG and HEIC, TIFF and EXIF blocks), which has no types of its own. */
declare module "exifr/dist/mini.esm.mjs" {
  export { Exifr } from "exifr";
}
