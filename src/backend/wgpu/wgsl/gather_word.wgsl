alias Unit = u32;
