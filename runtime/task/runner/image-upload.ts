import { type ReferenceOptions, resolvePicture } from "../media/reference-input.ts";
import type { ImageUploadItem } from "../schema/response.ts";
import type { ResolvedImageUploadTask } from "../schema/schema.ts";

/**
 * Stores the picture of an `imageUpload` task.
 *
 * @throws TaskError about `image`, KleinbildError if it is larger than the store, or the reason of the signal
 */
export async function uploadImage(
  { taskUUID, image }: ResolvedImageUploadTask,
  options: ReferenceOptions,
): Promise<ImageUploadItem> {
  const { bytes, type } = await resolvePicture(image, { ...options, parameter: "image" });
  const { uuid } = options.store.put(bytes, type);
  const imageURL = options.store.urlOf(uuid);
  return { taskType: "imageUpload", taskUUID, imageUUID: uuid, ...(imageURL !== undefined && { imageURL }) };
}
