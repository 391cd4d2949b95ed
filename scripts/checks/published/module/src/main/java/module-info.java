/** The embedding example as a module. */
module example {
  requires io.xfuser.tensors;
  requires io.xfuser.core;
  requires io.xfuser.pipelines;
  requires io.xfuser.models;
}
