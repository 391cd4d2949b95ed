/** The embedding example as a module. */
module example {
  requires io.xfuser.core;
  requires io.xfuser.models;
}
