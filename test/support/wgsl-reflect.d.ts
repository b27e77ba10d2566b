/** The package's entry for Node is CommonJS under `"type": "module"`, which Node cannot load; its ES module has no types. */
declare module "wgsl_reflect/wgsl_reflect.module.js" {
  export { WgslReflect } from "wgsl_reflect";
}
